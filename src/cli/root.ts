/** The folder of the package, from where the compiled command lies (dist/src/cli). */
export const PACKAGE = new URL('../../../', import.meta.url);
