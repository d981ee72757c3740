"""What the certificates of a store say that they cover."""

COVERS = (
    "the statistics and the topics of this store, its heads and its index, its word counts, texts "
    "and labels of the documents, and the words that only they held"
)
WAITING_COVERS = (
    "the statistics of this store, its word counts, texts and labels of the documents, and the "
    "words that only they held; topics, heads and index, which were learned with the documents, "
    "are deleted until `refresh` learns them again"
)
NOT_COVERED = (
    "; the ids in files or logs outside the store; copies of words and ids in unused parts of the "
    "store's file, until `compact` writes it anew; what the file system and the disk keep of "
    "overwritten blocks, of the journal and of temporary files"
)
REDACTED = (
    "the model that the same version and parameters give when trained once on the documents as "
    "they are after the correction: every byte is equal"
)
