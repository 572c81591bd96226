"""What later notebooks import, as it stands in 02_model_and_losses.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

from sklearn.linear_model import LinearRegression


# from 02_model_and_losses
def readable(z, values, rows):  # R², on scenes that it was not fitted on
    z = z.cpu()
    half = len(z) // 2
    line, rows = LinearRegression().fit(z[:half], values[:half]), rows[half:]
    return 100 * max(0, line.score(z[half:][rows], values[half:][rows]))
