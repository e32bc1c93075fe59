"""The demo (演示): one street of Xiamen with people, contracts and two weeks of needs, made from a fixed seed.

Everybody here is made up. Whatever is stored goes through the rooms' own operations, each with the moment at which
it is told to have happened, so that the demo is also a long test of them. `load.py` is the way in.
"""
