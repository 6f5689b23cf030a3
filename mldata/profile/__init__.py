"""What is in a table: sketches of its columns, put together to summaries, told as a profile.

Three forms, each made of the one before it alone:

1. a *leaf sketch* of one fragment (or of the rows of one part in it), an action result: reading rows ends here;
2. a :class:`~mldata.profile.summary.TableSummary`, merged from the leaves in whatever order, with the same bytes: what drift and contracts read;
3. a :class:`~mldata.profile.profile.Profile`: statistics, distributions, correlations and alerts for people, as JSON, Markdown, a page or lines.
"""
