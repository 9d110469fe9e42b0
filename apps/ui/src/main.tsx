import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { StreamContext } from './data/hooks.ts';
import { openStream } from './data/stream.ts';
import { Shell } from './pages/shell.tsx';
import { applyTheme, storedTheme } from './parts/theme.ts';
import './styles.css';

applyTheme(storedTheme());
const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 2000 } } });

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <StreamContext value={openStream()}>
        <Shell />
      </StreamContext>
    </QueryClientProvider>
  </StrictMode>,
);
