"""Top-level keys that are settings, not sections of a class."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUN_KEYS = _words(
    """
    architecture arch plugins weights pretrain_weights save_dir output_eval output_dir epoch log_iter snapshot_epoch
    metric best_metric IouType worker_num seed enable_ce val_every resume eval filename name
    use_gpu use_npu use_mlu use_gcu use_xpu device sync_bn find_unused_parameters norm_type
    use_ema ema_decay ema_decay_type cycle_epoch ema_black_list ema_filter_no_grad
    accumulate_steps early_stop time_budget keep_checkpoints bad_loss deterministic teacher cpu_threads cpu_operators
    paddledet_exact
    amp amp_level amp_dtype init_loss_scaling master_grad custom_white_list custom_black_list
    save_prediction_only classwise bias json_eval target_metrics
    print_flops print_params print_mem_info profiler_options use_vdl vdl_log_dir
    export export_onnx export_post_process export_eb fuse_conv_bn to_static keep_best_weight map_type ssod_method
    slim slim_method distill_loss distill_loss_name unstructured_prune prune_params_type skip_params_type ratio
    initial_ratio stable_epochs pruning_epochs tunning_epochs pruning_steps sparsity
    semi_start_iters ema_start_iters det_weights reid_weights scaled use_wandb wandb log_ranks use_extra_data
    pdx_model_name uniform_output_enabled hpi_config_path use_huawei_npu use_fused_allreduce_gradients
    """
)

MODEL_KEYS = _words(
    """
    num_classes num_joints skeleton codec test_scales trainsize hmsize pixel_std flip_perm image_dir anno_path input_size
    train_height train_width trainsize_wh data_format hidden_dim use_focal_loss max_people
    eval_height eval_width eval_size image_shape with_background mixup_epoch
    for_mot MOTDataZoo tracker conf_thres
    """
)

DATASET_KEYS = _words(
    """
    TrainDataset EvalDataset TestDataset EvalMOTDataset TestMOTDataset TrainMOTDataset ValDataset
    UnsupTrainDataset EvalUnsupDataset
    """
)

READER_KEYS = _words(
    """
    TrainReader EvalReader TestReader EvalMOTReader TestMOTReader TrainMOTReader
    SemiTrainReader UnsupTrainReader
    """
)

KNOWN_KEYS = RUN_KEYS | MODEL_KEYS | DATASET_KEYS | READER_KEYS | {"LearningRate", "OptimizerBuilder"}
