import { Radio, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { LogKeysView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { MonoArea } from '../parts/mono-area.js';
import { Loaded } from '../parts/states.js';

/** Whose keys are believed; `pasted` are lines of a vkey file. */
export interface Trust {
  readonly of: 'installation' | 'pasted';
  readonly pasted: string;
}

/** The keys that this installation publishes, asked for once. */
export function useLogKeys() {
  return useQuery({ queryKey: ['log-keys'], queryFn: () => call<LogKeysView>('/log-keys', { background: true }), staleTime: Infinity });
}

export function TrustedKeys({ trust, onChange }: { trust: Trust; onChange: (next: Trust) => void }) {
  const published = useLogKeys();
  return (
    <Stack gap="sm">
      <Radio.Group value={trust.of} onChange={(of) => onChange({ ...trust, of: of as Trust['of'] })} label="Keys you trust">
        <Stack gap="xs" mt={6}>
          <Radio
            value="installation"
            label="Those of this installation"
            description="As this server hands them out. Shows damage and mix-ups; proves nothing against whoever runs the server."
          />
          <Radio
            value="pasted"
            label="Keys that I was given another way"
            description="The file log/vkey of the installation, handed over by someone you know."
          />
        </Stack>
      </Radio.Group>
      {trust.of === 'pasted' ? (
        <MonoArea
          label="Public keys, one per line"
          placeholder="<name>+<key id>+<key>"
          rows={4}
          value={trust.pasted}
          onText={(pasted) => onChange({ ...trust, pasted })}
        />
      ) : (
        <Loaded of={published} label="Loading the keys" lines={2}>
          {({ vkeys }) =>
            vkeys === '' ? (
              <Text size="sm">
                This server has no keys to hand out: its worker writes them when it first seals the log. Paste them instead.
              </Text>
            ) : (
              <pre className="note" tabIndex={0} aria-label="Keys of this installation">
                {vkeys}
              </pre>
            )
          }
        </Loaded>
      )}
    </Stack>
  );
}
