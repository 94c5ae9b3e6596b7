export const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    sweet TEXT NOT NULL,
    amount INTEGER NOT NULL,
    placedAt TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE
  );
  CREATE TABLE IF NOT EXISTS wholesale (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    sweet TEXT NOT NULL,
    amount INTEGER NOT NULL
  );
`;
