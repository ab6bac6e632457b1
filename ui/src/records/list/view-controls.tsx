export { KindSwitch } from './kind-switch';
export { ViewSettings } from './view-settings';
