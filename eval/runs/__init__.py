"""All cases of a data set asked, scored, written down and summed up."""
