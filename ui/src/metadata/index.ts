export { useMinor } from './minor';
export * from './objects';
export * from './session';
export * from './traits';
