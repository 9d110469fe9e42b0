import type { AppRef } from '@capstan/apps-contract';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { Link, Route, Switch } from 'wouter';
import { api } from '../data/api.ts';
import { useLive } from '../data/hooks.ts';
import { Icon } from '../parts/icon.tsx';
import { Notice } from '../parts/notice.tsx';
import { applyTheme, nextTheme, storedTheme } from '../parts/theme.ts';
import { AppPage } from './app/app-page.tsx';
import { AppsPage } from './apps/apps-page.tsx';

/** What stands around every page: the bar at the top, and the routes. */
export function Shell(): ReactElement {
  const { connected } = useLive();
  return (
    <>
      <TopBar />
      {!connected && (
        <div className="banner" role="alert">
          The connection to Capstan is lost; what you see may be old. Trying again …
        </div>
      )}
      <main>
        <Switch>
          <Route path="/">
            <AppsPage />
          </Route>
          <Route path="/apps/:kind/:namespace/:name">{(params) => <AppRoute {...params} />}</Route>
          <Route>
            <Notice title="There is no such page">
              <Link href="/">All apps</Link>
            </Notice>
          </Route>
        </Switch>
      </main>
    </>
  );
}

const KINDS: readonly string[] = [
  'Application',
  'Kustomization',
  'HelmRelease',
] satisfies AppRef['kind'][];

function isAppKind(kind: string): kind is AppRef['kind'] {
  return KINDS.includes(kind);
}

function AppRoute(params: { kind: string; namespace: string; name: string }): ReactElement {
  if (!isAppKind(params.kind)) {
    return <Notice title={`There are no apps of kind ${params.kind}`} />;
  }
  const ref: AppRef = {
    kind: params.kind,
    namespace: decodeURIComponent(params.namespace),
    name: decodeURIComponent(params.name),
  };
  return <AppPage key={`${ref.kind}/${ref.namespace}/${ref.name}`} app={ref} />;
}

function TopBar(): ReactElement {
  const info = useQuery({ queryKey: ['info'], queryFn: api.info });
  return (
    <header className="topbar">
      <Link href="/" className="brand">
        <img src="/capstan.svg" alt="" width={26} height={26} />
        Capstan
      </Link>
      <span className="topbar-facts">
        {info.data !== undefined && (
          <>
            <span title="Cluster">{info.data.cluster}</span>
            <span title="Version">v{info.data.version}</span>
          </>
        )}
      </span>
      <ThemeButton />
    </header>
  );
}

function ThemeButton(): ReactElement {
  const [theme, setTheme] = useState(storedTheme);
  const icon = { auto: 'auto', light: 'sun', dark: 'moon' } as const;
  return (
    <button
      type="button"
      className="ghost"
      aria-label={`Theme: ${theme}`}
      title={`Theme: ${theme}`}
      onClick={() => {
        const next = nextTheme(theme);
        applyTheme(next);
        setTheme(next);
      }}
    >
      <Icon name={icon[theme]} />
    </button>
  );
}
