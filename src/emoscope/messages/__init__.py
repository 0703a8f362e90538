"""Every sentence that people read, in Chinese and English."""
