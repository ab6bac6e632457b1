import { IconCamera, IconCurrentLocation, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, IconButton, toast } from '@/ui';
import css from './pictures.module.css';

const LONGEST_SIDE = 2048;
const QUALITY = 0.85;

/** A picture of a phone made small enough for a slow line; what cannot be read stays as it is. */
async function smaller(file: File, name: string): Promise<File> {
  const ending = file.name.split('.').pop() ?? 'jpg';
  const as = (body: Blob, type: string, end: string) => new File([body], `${name}.${end}`, { type });
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
    return blob !== null && blob.size < file.size ? as(blob, 'image/jpeg', 'jpg') : as(file, file.type, ending);
  } catch {
    return as(file, file.type, ending);
  }
}

/** As a data address: the page's policy shows no others. */
function useThumbnails(files: readonly File[]): ReadonlyMap<File, string> {
  const [made, setMade] = useState<ReadonlyMap<File, string>>(new Map());
  useEffect(() => {
    for (const file of files) {
      if (made.has(file)) continue;
      const reader = new FileReader();
      reader.onload = () => setMade((old) => new Map(old).set(file, String(reader.result)));
      reader.readAsDataURL(file);
    }
  }, [files, made]);
  return made;
}

interface PicturesProps {
  files: readonly File[];
  onChange: (files: readonly File[]) => void;
}

/** Pictures taken on a visit. */
export function Pictures({ files, onChange }: PicturesProps) {
  const { t } = useTranslation(['offline', 'common']);
  const input = useRef<HTMLInputElement>(null);
  const thumbnails = useThumbnails(files);
  const take = async (chosen: readonly File[]) => {
    const now = new Date();
    const stamp = `${now.toISOString().slice(0, 10)} ${now.getTime().toString(36)}`;
    const added: File[] = [];
    // Each has a name of its own: by name and size one sees later whether a picture has arrived.
    for (const [at, file] of chosen.entries())
      added.push(await smaller(file, `${t('offline:visit.picture')} ${stamp}${at}`));
    onChange([...files, ...added]);
  };
  return (
    <>
      <Button kind="subtle" icon={<IconCamera size={16} />} onClick={() => input.current?.click()}>
        {t('offline:visit.addPicture')}
      </Button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        capture="environment"
        multiple
        hidden
        aria-label={t('offline:visit.addPicture')}
        onChange={(event) => {
          const chosen = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          void take(chosen);
        }}
      />
      {files.length > 0 && (
        <ul className={css.pictures} aria-label={t('offline:visit.pictures')}>
          {files.map((file) => (
            <li key={file.name}>
              <img src={thumbnails.get(file)} alt={file.name} />
              <IconButton
                size="sm"
                className={css.remove ?? ''}
                label={`${t('common:remove')} ${file.name}`}
                icon={<IconX size={14} />}
                onClick={() => onChange(files.filter((other) => other !== file))}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const WITHIN = 15_000;

/** Writes where one stands, if one wants to say so. */
export function HereButton({ onFound }: { onFound: (place: string) => void }) {
  const { t } = useTranslation('offline');
  const [asking, setAsking] = useState(false);
  const ask = () => {
    setAsking(true);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        setAsking(false);
        const { latitude, longitude, accuracy } = coords;
        onFound(`${latitude.toFixed(5)}, ${longitude.toFixed(5)} \u00b1${Math.round(accuracy)} m`);
      },
      (error) => {
        setAsking(false);
        toast.error(t('offline:visit.noPlace'), {
          detail: t(
            error.code === error.PERMISSION_DENIED ? 'offline:visit.placeDenied' : 'offline:visit.placeUnknown',
          ),
        });
      },
      { enableHighAccuracy: true, timeout: WITHIN, maximumAge: 60_000 },
    );
  };
  return (
    <Button kind="subtle" icon={<IconCurrentLocation size={16} />} loading={asking} onClick={ask}>
      {t('offline:visit.here')}
    </Button>
  );
}
