"""Files of the document: project, pictures, layouts, exports; all writing is atomic."""
