import { holdsFiles } from '../base/file-kind';

export const fileKind = holdsFiles('file', 200);
