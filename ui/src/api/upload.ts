import { apiUrl, problemOf, requestHeaders, sessionLost } from './client';
import { lost } from './connection';
import { ApiError } from './errors';

export interface UploadProgress {
  sent: number;
  total: number;
}

interface UploadOptions {
  onProgress?: (progress: UploadProgress) => void;
  signal?: AbortSignal;
}

/** Sends a multipart form; XMLHttpRequest, because fetch does not tell how much was sent. */
export function upload<T>(path: string, form: FormData, options: UploadOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', apiUrl(path));
    for (const [name, value] of Object.entries(requestHeaders('POST'))) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => options.onProgress?.({ sent: event.loaded, total: event.total });
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        resolve(JSON.parse(xhr.responseText) as T);
        return;
      }
      if (xhr.status === 401) sessionLost.emit();
      reject(new ApiError(problemOf(xhr.status, xhr.responseText, xhr.statusText)));
    };
    xhr.onerror = () => {
      lost();
      reject(new ApiError({ type: 'network', title: 'network', status: 0 }));
    };
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    options.signal?.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(form);
  });
}
