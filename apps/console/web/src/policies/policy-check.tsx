import { Badge, Button, FileButton, Group, Stack, Text, UnstyledButton } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { FindingView, LintView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { MonoArea } from '../parts/mono-area.js';
import { Section } from '../parts/page.js';
import { Failure } from '../parts/states.js';
import { count } from '../parts/values.js';

/** A document that somebody is writing, and what is wrong or strange about it, by line and column. It stays in this page. */
export function PolicyCheck() {
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const check = useMutation({ mutationFn: (document: string) => call<LintView>('/policies/lint', { method: 'POST', text: document }) });
  const edit = (document: string) => {
    setText(document);
    check.reset();
  };
  return (
    <Section title="Check a document">
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Paste a policy or open a file; nothing is saved. When there are no errors, draft it with: tallystick policy draft &lt;file&gt;
          --author &lt;person&gt;
        </Text>
        <MonoArea ref={area} label="Document (JSON)" rows={16} value={text} onText={edit} />
        <Group gap="sm">
          <Button onClick={() => check.mutate(text)} loading={check.isPending} disabled={text.trim() === ''}>
            Check
          </Button>
          <FileButton accept=".json,application/json" onChange={(file) => void file?.text().then(edit)}>
            {(props) => (
              <Button {...props} variant="default">
                Open a file
              </Button>
            )}
          </FileButton>
        </Group>
        {check.error && <Failure error={check.error} />}
        {check.data && <Findings findings={check.data.findings} onShow={(finding) => area.current && showPlace(area.current, finding)} />}
      </Stack>
    </Section>
  );
}

function Findings({ findings, onShow }: { findings: readonly FindingView[]; onShow: (finding: FindingView) => void }) {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  const verdict = errors === 0 ? 'It can be drafted.' : 'It cannot be drafted as it is.';
  return (
    <div role="status" aria-label="What was found">
      <Text size="sm" fw={600} mb="xs">
        {findings.length === 0 ? 'Nothing is wrong or strange.' : `${numbered(errors, 'error')}, ${numbered(warnings, 'warning')}.`}{' '}
        {verdict}
      </Text>
      {findings.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Weight</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {findings.map((finding) => (
              <tr key={`${finding.line}:${finding.column} ${finding.code} ${finding.message}`}>
                <td data-label="Place">
                  <UnstyledButton className="mono" td="underline" fz="sm" onClick={() => onShow(finding)}>
                    line {finding.line}, column {finding.column}
                  </UnstyledButton>
                </td>
                <td data-label="Weight">
                  <Badge color={finding.severity === 'error' ? 'red' : 'yellow'} variant="light" radius="sm" className="badge">
                    {finding.severity}
                  </Badge>
                </td>
                <td data-label="What">
                  <span>
                    {finding.message}{' '}
                    <Text span size="xs" c="dimmed" className="mono">
                      {finding.code}
                    </Text>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function numbered(many: number, word: string): string {
  return `${count(many)} ${word}${many === 1 ? '' : 's'}`;
}

/** Puts the cursor there, the rest of its line selected, and its line into the middle of what is seen. */
function showPlace(area: HTMLTextAreaElement, { line, column }: FindingView): void {
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  area.focus();
  area.setSelectionRange(start + column - 1, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = ((line - 1) / lines.length) * area.scrollHeight - area.clientHeight / 2;
}
