-- rowid is the record's id. The index keeps no copy of the tokens and no positions. Tokens arrive encoded in lower-case
-- letters, digits, "_" and characters beyond ASCII, which this tokenizer never splits.
CREATE VIRTUAL TABLE search_doc USING fts5(
  object UNINDEXED, tokens,
  content = '', contentless_delete = 1, contentless_unindexed = 1, detail = 'none', prefix = '2 3',
  tokenize = "ascii tokenchars '_'"
);
