import type { ReactElement, ReactNode } from 'react';

/** A page or panel that has nothing to show yet, and says why and what to do. */
export function Notice({
  title,
  children,
  tone = 'plain',
}: {
  title: string;
  children?: ReactNode;
  tone?: 'plain' | 'error';
}): ReactElement {
  return (
    <div className={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }): ReactElement {
  return (
    <div className="notice" role="status">
      <span className="spinner" />
      <p>Loading {what} …</p>
    </div>
  );
}
