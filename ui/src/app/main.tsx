import '@/theme/index.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from '@/api';
import { startI18n } from '@/i18n';
import { ErrorBoundary, reloadOnceWhenFilesAreGone } from '@/shell';
import { UiProvider } from '@/ui';
import { createAppRouter } from './router';

reloadOnceWhenFilesAreGone();

const queryClient = createQueryClient();
const router = createAppRouter(queryClient);

async function start(): Promise<void> {
  const root = document.getElementById('root');
  if (root === null) throw new Error('no #root');
  await startI18n(['common', 'shell']);
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <UiProvider>
          <ErrorBoundary>
            <Suspense>
              <RouterProvider router={router} />
            </Suspense>
          </ErrorBoundary>
        </UiProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
void start();
