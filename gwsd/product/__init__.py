"""Global 0.125° fields: tiled and full-field inference, correction of the means, files, series of basins."""
