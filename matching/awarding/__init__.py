"""Who gets which lot (定标): the ranking rules of the law, and winner determination over all lots at once.

`model` holds the input, `scores` price scores and who conforms, `ranking` rules A and B, `optimum` rule C, `award`
the front door with the comparison of the three, `why_not` what would have changed the result for a losing offer.
Everything is integer: money in fen, scores in hundredths of a point. It proposes; a person decides.
"""
