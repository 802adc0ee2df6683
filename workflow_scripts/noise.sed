# What Paddle prints that helps nobody here. A line that is not known stays; a warning is two lines, the second its code.
# of its import: a compiler's cache, which nothing here uses; threads, which are set by their number (compute/device.py)
/UserWarning: No ccache found\./{N;/\n *warnings\.warn(/d;}
/^WARNING: OMP_NUM_THREADS set to [0-9]*, not 1\. /d
/^PLEASE USE OMP_NUM_THREADS WISELY\.$/d
# of training, exporting and predicting: how Paddle does what is meant
/UserWarning: When training, we now always track global mean and variance\./{N;/\n *warnings\.warn(/d;}
/Paddle static graph(PIR) not support input out tensor for now!!!!!$/d
/^ReduceMeanCheckIfOneDNNSupport$/d
