import type { EventView } from '@capstan/apps-contract';
import type { ReactElement } from 'react';
import { useNow } from '../../data/hooks.ts';
import { formatAge } from '../../model/format.ts';
import { Notice } from '../../parts/notice.tsx';

export function EventList({ events }: { events: readonly EventView[] }): ReactElement {
  const now = useNow();
  if (events.length === 0) return <Notice title="No events" />;
  return (
    <ul className="events">
      {events.map((event) => (
        <li
          key={`${event.at}${event.object}${event.reason}${event.message}`}
          className={event.type}
        >
          <b>{event.reason}</b>
          <span>{event.message}</span>
          <small>
            {event.object}
            {event.count > 1 && ` · ${event.count} times`} · {formatAge(event.at, now)} ago
          </small>
        </li>
      ))}
    </ul>
  );
}
