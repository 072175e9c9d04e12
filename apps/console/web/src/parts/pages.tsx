import { Button, Center, Text } from '@mantine/core';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Page } from '../../../src/api.js';
import { Empty, Failure, Loading } from './states.js';

type List<Row> = UseInfiniteQueryResult<InfiniteData<Page<Row>>>;

interface RowsProps<Row> {
  readonly of: List<Row>;
  readonly label: string;
  readonly emptyTitle: string;
  readonly emptyAbout: string;
  readonly children: (rows: readonly Row[]) => ReactNode;
}

/** A list that comes in pages: its rows, or what stands in their place. */
export function Rows<Row>({ of, label, emptyTitle, emptyAbout, children }: RowsProps<Row>) {
  if (of.data === undefined)
    return of.isError ? <Failure error={of.error} onRetry={() => void of.refetch()} /> : <Loading label={label} lines={6} />;
  const rows = of.data.pages.flatMap((page) => page.rows);
  return rows.length === 0 && !of.hasNextPage ? <Empty title={emptyTitle}>{emptyAbout}</Empty> : children(rows);
}

/** `more`: what the button says; lists mostly run back in time. */
export function LoadMore<Row>({ of, more = 'Show older' }: { of: List<Row>; more?: string }) {
  if (of.data === undefined) return null;
  if (of.isFetchNextPageError) return <Failure error={of.error} onRetry={() => void of.fetchNextPage()} />;
  const shown = of.data.pages.reduce((sum, page) => sum + page.rows.length, 0);
  if (of.hasNextPage) {
    return (
      <Center mt="md">
        <Button variant="default" size="sm" loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
          {more}
        </Button>
      </Center>
    );
  }
  return shown === 0 ? null : (
    <Text size="xs" c="dimmed" ta="center" mt="md">
      That is all.
    </Text>
  );
}
