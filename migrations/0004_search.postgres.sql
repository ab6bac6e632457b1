CREATE TABLE search_doc (
  id BIGINT PRIMARY KEY,
  object TEXT COLLATE "C" NOT NULL,
  tokens TSVECTOR NOT NULL
);
CREATE INDEX search_doc_tokens ON search_doc USING gin (tokens);
