"""Learning-rate curves, optimizers and weight averaging, under PaddleDetection's YAML names.

`LearningRate` and `OptimizerBuilder` are what a YAML's sections of the same name build. Import the classes from their
modules; this file stays empty so that reading a configuration does not load Paddle.
"""
