"""Operators in C++ that train faster on a CPU than Paddle's; built on request, never needed."""
