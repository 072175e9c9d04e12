import { SimpleGrid, Stack } from '@mantine/core';
import type { SignedInStaff } from '../../../src/api.js';
import { may } from '../api/session.js';
import { PageHead } from '../parts/page.js';
import { CheckpointPanel } from './checkpoint-panel.js';
import { ExportForm } from './export-form.js';
import { ExportList } from './export-list.js';
import { FactList } from './fact-list.js';

export default function Audit({ staff }: { staff: SignedInStaff }) {
  const exporter = may(staff, 'audit.export');
  return (
    <>
      <PageHead
        title="Audit"
        about="Every fact, in the order it happened; sealed, exportable, and provable to someone who trusts neither side."
      />
      <Stack gap="lg">
        <SimpleGrid cols={{ base: 1, md: exporter ? 2 : 1 }} spacing="lg">
          <CheckpointPanel />
          {exporter && <ExportForm />}
        </SimpleGrid>
        {exporter && <ExportList />}
        <FactList />
      </Stack>
    </>
  );
}
