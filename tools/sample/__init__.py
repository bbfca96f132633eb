"""The packaged sample: hand-written tables of posts and pictures, and the layouts that draw them."""
