"""Solution scattering: from frames of sample and buffer to what a paper needs."""
