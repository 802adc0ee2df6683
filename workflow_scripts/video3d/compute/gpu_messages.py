"""What to say where no GPU can be used."""

CPU_BUILD = "the installed PaddlePaddle is the CPU build: install the GPU build (see envs/)"
NO_GPU = "no GPU is visible: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
