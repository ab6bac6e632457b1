import {
  addFile,
  createRecord,
  type FieldValues,
  isApiError,
  type ObjectType,
  type RecordData,
  type Ref,
  workLater,
} from '@/api';
import { toCreate } from '../edit/draft';

export interface Written {
  title: string;
  /** What the server made; null when it waits for a connection. */
  made: RecordData | null;
  /** Pictures that could be neither sent nor kept. */
  lostPictures: number;
}

const firstLine = (value: unknown): string => String(value ?? '').split('\n')[0] ?? '';

export const titleOf = (object: ObjectType, values: FieldValues): string =>
  firstLine(values[object.title_field]) || firstLine(values.body);

async function sendPictures(record: RecordData, pictures: readonly File[]): Promise<number> {
  let lost = 0;
  for (const picture of pictures) {
    try {
      await addFile(record.object, record.id, picture, () => undefined, new AbortController().signal);
    } catch (error) {
      if (workLater.afterwards(record.object, error))
        await workLater.file({ object: record.object, record: record.id, needs: '' }, picture);
      else lost++;
    }
  }
  return lost;
}

/**
 * Writes down an activity: at once, or when there is a connection again. A request that got no answer keeps its key, so
 * that it arrives once. Throws what the server refused.
 */
export async function saveActivity(
  object: ObjectType,
  values: FieldValues,
  about: Ref | null,
  pictures: readonly File[] = [],
): Promise<Written> {
  const write = toCreate(object, values);
  const title = titleOf(object, values);
  const later = async (key?: string): Promise<Written> => {
    const needs = await workLater.create({
      object: object.key,
      title,
      about,
      fields: values,
      write,
      ...(key !== undefined && { key }),
    });
    for (const picture of pictures) await workLater.file({ object: object.key, record: '', needs }, picture);
    return { title, made: null, lostPictures: 0 };
  };
  if (workLater.offline(object.key)) return await later();
  const key = globalThis.crypto?.randomUUID?.() ?? '';
  try {
    const made = await createRecord(object.key, write, false, key);
    return { title: made.title, made, lostPictures: await sendPictures(made, pictures) };
  } catch (error) {
    if (isApiError(error) && workLater.afterwards(object.key, error)) return await later(key);
    throw error;
  }
}
