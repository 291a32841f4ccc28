"""Names of PaddleDetection's components, to tell components that are not implemented here from misspelt names.

Collected from its published YAML files and documentation; the list need not be complete.
"""

from __future__ import annotations

ARCHITECTURES = """
    TopDownHRNet HigherHRNet VitPose_TopDown PETR TinyPose3DHRNet TinyPose3DHRHeatmapNet METRO_Body PicoDet YOLOv3
    FairMOT CenterNet JDE DeepSORT ByteTrack CenterTrack GFL FCOS PPYOLOE YOLOX TOOD TTFNet SSD FasterRCNN MaskRCNN
    CascadeRCNN SOLOv2 RetinaNet S2ANet DETR DeformableDETR DINO SparseRCNN QueryInst BlazeFace PPYOLOTiny YOLOF
    CLRNet ARSL_FCOS DenseTeacher MultiStreamDetector PPYOLOEWithAuxHead SMPL3DHRHeatmapNet DETR_SSOD Semi_RTDETR
    FGDDistillModel CWDDistillModel LDDistillModel PPYOLOEDistillModel
"""

BACKBONES = """
    HRNet LiteHRNet ViT VisionTransformer ViT2D ResNet ResNet50 Res5Head DLA HarDNet LCNet ESNet MobileNet MobileNetV1
    MobileNetV3 ShuffleNetV2 GhostNet BlazeNet DarkNet CSPDarkNet CSPResNet SwinTransformer VGG SENet Res2Net ConvNeXt
    MobileOne FocalNet TransEncoder PPHGNetV2 CSPDarknet CLRResNet SERes5Head Res2NetC5 PyramidVisionTransformerV2
    SimpleFeaturePyramid
"""

NECKS = """
    FPN HRFPN BiFPN CSPPAN LCPAN PPYOLOPAN PPYOLOFPN PPYOLOTinyFPN YOLOv3FPN YOLOCSPPAN CustomCSPPAN BlazeNeck TTFFPN
    CenterNetDLAFPN CenterNetHarDNetFPN ChannelMapper ESPAN ES_PAN DilatedEncoder CLRFPN PAN CustomPAN
    MaskHybridEncoder
"""

HEADS = """
    HrHRNetHead TopdownHeatmapSimpleHead PETRHead PicoHead PicoHeadV2 OTAVFLHead PicoFeat YOLOv3Head CenterNetHead
    FairMOTEmbeddingHead JDEEmbeddingHead PCBPyramid PPLCNetEmbedding ResNetEmbedding GFLHead FCOSHead FCOSFeat
    RetinaHead RetinaFeat RPNHead BBoxHead TwoFCHead XConvNormHead MaskHead MaskFeat CascadeHead CascadeTwoFCHead
    SOLOv2Head S2ANetHead TTFHead TOODHead YOLOXHead PPYOLOEHead PPYOLOERHead FaceHead SSDHead DETRHead
    DeformableDETRHead DINOHead SparseRCNNHead YOLOFHead LDGFLHead FCOSRHead RoIAlign AnchorGenerator RetinaAnchor
    SOLOv2MaskHead CLRHead CenterTrackHead YOLOPHead FCOSHead_ARSL OTAHead SimpleConvHead QueryInstHead YOLOFFeat
    MaskDINOHead CascadeXConvNormHead PPYOLOEContrastHead
"""

TRANSFORMERS = """
    PETRTransformer PETR_TransformerDecoder PETR_TransformerDecoderLayer PETR_DeformableDetrTransformerDecoder
    TransformerEncoder TransformerEncoderLayer TransformerDecoder TransformerDecoderLayer MSDeformableAttention
    MultiScaleDeformablePoseAttention MultiHeadAttention PositionEmbedding DETRTransformer DeformableTransformer
    DINOTransformer RTDETRTransformer HybridEncoder MaskDINO
"""

LOSSES = """
    KeyPointMSELoss HrHRNetLoss HeatMapLoss HeatMapSWAHRLoss AELoss ZipLoss OKSLoss CenterFocalLoss L1Loss Pose3DLoss
    Weighted_FocalLoss KeyPointRegressionMSELoss VarifocalLoss DistributionFocalLoss QualityFocalLoss GIoULoss
    DIoULoss IouLoss IouAwareLoss YOLOv3Loss PPYOLOv3Loss FairMOTLoss FocalLoss SmoothL1Loss CTFocalLoss
    JDEDetectionLoss JDEEmbeddingLoss DETRLoss DINOLoss SSDLoss SOLOv2Loss FCOSLoss ProbIoULoss SparseRCNNLoss
    KnowledgeDistillationKLDivLoss FGDFeatureLoss CLRNetIoULoss CWDFeatureLoss YOLOPLoss SIoULoss QFocalLoss
    PKDFeatureLoss MimicFeatureLoss MGDFeatureLoss DistillYOLOv3Loss DistillPPYOLOELoss MaskDINOLoss QueryInstLoss
    FCOSLossMILC FCOSLossCR SupContrast
"""

ASSIGNERS = """
    PoseHungarianAssigner HungarianAssigner FocalLossCost KptL1Cost OksCost SimOTAAssigner ATSSAssigner
    TaskAlignedAssigner TaskAlignedAssigner_CR MaxIoUAssigner UniformAssigner RPNTargetAssign BBoxAssigner MaskAssigner
    HungarianMatcher RBoxAssigner CascadeBBoxAssigner RotatedTaskAlignedAssigner FCOSRAssigner
"""

POST_PROCESSES = """
    HRNetPostProcess HR3DNetPostProcess TinyPose3DPostProcess HrHRNetPostProcess VitPosePostProcess BBoxPostProcess
    CenterNetPostProcess FCOSPostProcess DETRPostProcess DETRBBoxPostProcess MaskPostProcess S2ANetBBoxPostProcess
    JDEBBoxPostProcess SparsePostProcess CenterTrackPostProcess YOLOBox JDEBox SSDBox RCNNBox TTFBox MultiClassNMS
    MatrixNMS MaskMatrixNMS MultiClassSoftNMS SMPLPostProcess YOLOPBox CLRNetPostProcess
"""

TRACKERS = "JDETracker ByteTracker DeepSORTTracker OCSORTTracker BOTSORTTracker CenterTracker"

DATASETS = """
    KeypointTopDownCocoDataset KeypointTopDownMPIIDataset KeypointTopDownCocoWholeBodyHandDataset
    KeypointBottomUpCocoDataset KeypointBottomUpCrowdPoseDataset Pose3DDataset Keypoint3DMultiFramesDataset
    COCODataSet ImageFolder VOCDataSet WIDERFaceDataSet MOTDataSet MCMOTDataSet MOTImageFolder MOTVideoDataset
    RoadsignDataSet SniperCOCODataSet SemiCOCODataSet CULaneDataSet SlicedCOCODataSet PETRCocoDataset
"""

READERS = """
    TrainReader EvalReader TestReader EvalMOTReader TestMOTReader SemiTrainReader TrainDataset EvalDataset TestDataset
    EvalMOTDataset TestMOTDataset
"""

KEYPOINT_TRANSFORMS = """
    RandomFlipHalfBodyTransform AugmentationbyInformantionDropping TopDownAffine TopDownEvalAffine ToHeatmapsTopDown
    ToHeatmapsTopDown_DARK ToHeatmapsTopDown_UDP TopDownRandomFlip TopDownRandomShiftBboxCenter
    TopDownGetRandomScaleRotation SinglePoseAffine NoiseJitter FlipPose RandomAffine KeyPointFlip TagGenerate
    ToHeatmaps NormalizePermute EvalAffine PETR_Resize CropAndFlipImages PermuteImages
    RandomFlipHalfBody3DTransformImages PhotoMetricDistortion RandomShortSideRangeResize RandomShortSideResize
    RandomSizeCrop RandomSelect ResizeImages NormalizeImages
"""

DETECTION_TRANSFORMS = """
    Decode Permute NormalizeImage Lighting RandomErasingImage GridMask RandomDistort AutoAugment RandomFlip Resize
    MultiscaleTestResize RandomResize RandomExpand CropWithSampling CropWithDataAchorSampling RandomCrop
    RandomScaledCrop Cutmix Mixup NormalizeBox BboxXYXY2XYWH PadBox DebugVisibleImage Pad Poly2Mask AugmentHSV
    Norm2PixelBbox BboxCXCYWH2XYXY RandomResizeCrop RandomSelect Mosaic RandomSizeCrop WarpAffine FlipWarpAffine
    CenterRandColor LetterBoxResize RGBReverse MOTRandomAffine SniperDecodeCrop Gt2JDETargetThres Gt2JDETargetMax
    Gt2FairMOTTarget Gt2YoloTarget Gt2FCOSTarget Gt2GFLTarget Gt2TTFTarget Gt2Solov2Target Gt2SparseTarget
    Gt2CenterNetTarget Gt2CenterTrackTarget PadBatch BatchRandomResize PadMaskBatch PadGT PadRGT PadSingleGT
    PadBatchGT DecodeCache CopyPaste RandomPerspective RandomRResize RResize RandomRFlip RandomRRotate Poly2RBox
    Poly2Array RboxPadBatch BatchRandomResizeForSSOD YOLOv5KeepRatioResize StrongAugImage AddCrop BlurImage
    RandomGrayscale RandomRotation Gt2PPMOTTarget Gt2TTMOTTarget Gt2YoloTargetPlain CULaneTrainProcess
    CULaneDataProcess
"""

OPTIMIZATION = """
    LearningRate OptimizerBuilder PiecewiseDecay CosineDecay LinearWarmup ExpWarmup BurninWarmup OneCycleDecay
    YOLOXCosineDecay QAT PTQ PACT Pruner UnstructuredPruner OFA DistillModel Weight
"""

METRICS = """
    COCO VOC WiderFace RBOX SNIPERCOCO ReID MOT MOTDet MCMOT KITTI CULaneMetric Pose3DEval KeyPointTopDownCOCOEval
    KeyPointTopDownMPIIEval KeyPointTopDownCOCOWholeBadyHandEval COCOMetric VOCMetric ZeroshotCOCO
"""

METRIC_CLASSES = {"MOT": "MOTMetric"}
"""Class of each word after `metric:` that is no class itself; COCO is one of several, see `engine.assembly`."""

PADDLEDETECTION_NAMES = frozenset(
    " ".join(
        (
            ARCHITECTURES, BACKBONES, NECKS, HEADS, TRANSFORMERS, LOSSES, ASSIGNERS, POST_PROCESSES, TRACKERS, DATASETS,
            READERS, KEYPOINT_TRANSFORMS, DETECTION_TRANSFORMS, OPTIMIZATION, METRICS,
        )
    ).split()
)  # fmt: skip


def not_here_yet(name: str) -> str:
    """The message for a component of PaddleDetection that the registry does not have."""
    return f"{name} is a component of PaddleDetection that this toolkit does not have yet"
