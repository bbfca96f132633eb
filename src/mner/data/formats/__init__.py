"""One file for each format of posts, with the functions ``sniff``, ``read`` and ``write``.

A format outside mner is named by its dotted module name and needs the same three functions:

- ``sniff(lines) -> bool``: whether a file that begins with these lines is of the format;
- ``read(lines, *, name, labels, on_fault) -> Iterator[Post]``: the posts, one after the other. ``lines`` come without
  their line feed, ``name`` is the file's, for messages. A bad line is left out after a call of
  ``on_fault(number, message)``, which may raise. ``labels`` is "repair", "strict", or False, which reads posts
  without their labels and does not check these;
- ``write(posts, stream, *, scheme, losses)``: writes the posts. ``losses[what]`` counts the posts that lost something;
  ``DataError`` is raised where a post would be damaged.

The ``read`` of a format with ``LINE_ENDS = True`` gets the lines with their ends.
"""
