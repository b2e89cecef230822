"""Vocabularies: the small administrative maps (the CSV files here) and an Athena download."""

from xinglin.mart.vocabulary.load import VocabularyReport, load_vocabulary

__all__ = ["VocabularyReport", "load_vocabulary"]
