//! downloader
