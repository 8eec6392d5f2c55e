"""Angles that are equal, opposite, at the wrap, or apart by a last digit; and users who share them."""

from math import nextafter, pi

from hypothesis import strategies as st

_EDGES = (0.0, 5e-324, 1e-30, -1e-30, 1.0, -1.0, pi / 2, -pi / 2, 3 * pi / 4, -3 * pi / 4)
_AT_THE_CUT = (pi, nextafter(pi, 0.0), nextafter(-pi, 0.0), nextafter(1.0, 2.0))
angles = st.sampled_from(_EDGES + _AT_THE_CUT) | st.floats(nextafter(-pi, 0.0), pi).map(lambda x: x + 0.0)

# Short ids of few letters meet often; "é", "日" and "😀" take two, three and four bytes.
user_ids = st.text(st.sampled_from("019aZé日😀\x00 "), min_size=1, max_size=3)
placed_users = st.dictionaries(user_ids, angles, max_size=30)
