"""Scores of predictions against labelled data; numpy and pycocotools only (no Paddle).

Every metric class offers the same five things:

    update(batch)    collect one batch of predictions (dict of numpy arrays, image pixels)
    merge(states)    take in what other processes collected (`state()` of their metric)
    compute()        dict of named numbers; `main` is the name of the one that selects the best model
    save(path)       write the predictions as the field's JSON
    report()         text for people

The classes are imported where they are used: `from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval`.
"""
