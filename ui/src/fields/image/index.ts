import { holdsFiles } from '../base/file-kind';

export const imageKind = holdsFiles('image', 130);
