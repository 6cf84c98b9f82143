declare module 'blessed/lib/widgets/screen.js' {
  const screen: (options: object) => unknown;
  export default screen;
}
