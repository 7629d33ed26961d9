// The server serves the file of the library here.
export { default } from 'uplot';
