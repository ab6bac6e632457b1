export { TypedSelect } from './builder/event-select';
export { useProperties } from './builder/property-rows';
export { type FigureRows, RowsEditor } from './builder/rows-of';
