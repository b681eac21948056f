"""检查目录 in the office: items, sets, groups; preparations, questions and ordering rules; the house's own numbers."""
