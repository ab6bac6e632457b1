export { AreaChart, type AreaPoint } from './area-chart';
export { heatLevel } from './heat';
export { heatCell } from './heat-cell';
export { HeatLegend } from './heat-legend';
export { Spark } from './spark';
export { hueFill, StackBar, type StackPart, Swatch } from './stack-bar';
export { type Layer, StackedArea } from './stacked-area';
