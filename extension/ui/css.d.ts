/** esbuild puts imported styles into the page's style sheet. */
declare module '*.css';
