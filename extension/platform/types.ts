/** What differs between browsers. Each has a file of this shape in this folder; the build picks one. */
export interface Platform {
  /** Makes sure the page that hosts the node lives; fine to call at any time, by many at once. */
  ensureHost(): Promise<void>;
  /** Shows the popup's page beside the tab. Only in answer to a click. */
  openSidePanel(): Promise<void>;
}
