import { Anchor, type AnchorProps } from '@mantine/core';
import { type MouseEvent, type ReactNode, useCallback, useSyncExternalStore } from 'react';

const CHANGED = 'tallystick:place';

/** Goes to a page of the console, such as `/decisions?id=dec_…`. */
function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new Event(CHANGED));
  if (!replace) scrollTo(0, 0);
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(CHANGED, listener);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The page's own state lives in its address: it survives a reload and can be sent to a colleague. */
export function useParams(): [URLSearchParams, (changes: Readonly<Record<string, string | undefined>>, replace?: boolean) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const change = useCallback((changes: Readonly<Record<string, string | undefined>>, replace = false) => {
    const params = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') params.delete(name);
      else params.set(name, value);
    }
    const text = params.toString();
    go(location.pathname + (text === '' ? '' : `?${text}`), replace);
  }, []);
  return [new URLSearchParams(search), change];
}

/** Lets plain clicks stay in the app and leaves "open in a new tab" to the browser. */
export function followInApp(event: MouseEvent<HTMLElement>, to: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(to);
}

export function Link({ to, children, ...rest }: { to: string; children: ReactNode } & AnchorProps) {
  return (
    <Anchor href={to} {...rest} onClick={(event) => followInApp(event, to)}>
      {children}
    </Anchor>
  );
}
