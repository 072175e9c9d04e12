import { Alert, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Refusal } from '#kernel';
import { parseVkeys, type RandomReader, utf8, webCrypto } from '#evidence/verifier';
import { PageHead, Section } from '../parts/page.js';
import { Icon } from '../parts/icons.js';
import { Failure, sentence } from '../parts/states.js';
import type { Verdict } from './checks.js';
import { type Document, DocumentInput } from './document-input.js';
import { type Trust, TrustedKeys, useLogKeys } from './trusted-keys.js';
import { VerdictView } from './verdict-view.js';
import { verifyDocument } from './verify-document.js';

/** A document that somebody was given, verified where they sit: it is sent nowhere. */
export default function Verify() {
  const [document, setDocument] = useState<Document>({ text: '' });
  const [trust, setTrust] = useState<Trust>({ of: 'installation', pasted: '' });
  const published = useLogKeys();
  const keys = trust.of === 'installation' ? (published.data?.vkeys ?? '') : trust.pasted;
  const verification = useMutation({ mutationFn: () => verify(document, keys) });
  const changed = <T,>(set: (next: T) => void) => {
    return (next: T) => {
      set(next);
      verification.reset();
    };
  };
  const isReady = keys.trim() !== '' && (document.file !== undefined || document.text.trim() !== '');
  return (
    <>
      <PageHead
        title="Verify"
        about="Checks a document here, in your browser, against keys that you trust. It is sent nowhere and kept nowhere."
      />
      <Stack gap="lg">
        <Section title="What to verify">
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <DocumentInput document={document} onChange={changed(setDocument)} />
            <TrustedKeys trust={trust} onChange={changed(setTrust)} />
          </SimpleGrid>
          <Group mt="md">
            <Button onClick={() => verification.mutate()} loading={verification.isPending} disabled={!isReady}>
              Verify
            </Button>
          </Group>
        </Section>
        {verification.error && <NotVerifiable error={verification.error} />}
        {verification.data && (
          <Section title="What was found">
            <VerdictView verdict={verification.data} trust={trust.of} />
          </Section>
        )}
      </Stack>
    </>
  );
}

async function verify(document: Document, keys: string): Promise<Verdict> {
  await requireFitBrowser();
  const trusted = await parseVkeys(webCrypto, keys);
  return await verifyDocument(document.file ? fileReader(document.file) : textReader(document.text), trusted);
}

/** Web Crypto is there on https and on this machine only, and Ed25519 in browsers since 2025. */
async function requireFitBrowser(): Promise<void> {
  if (!isSecureContext)
    throw new Refusal('unprocessable', 'browser.insecure', 'a browser verifies only over https: open the console by its https address');
  await crypto.subtle.generateKey('Ed25519', false, ['sign']).catch(() => {
    const detail =
      'this browser does not know Ed25519 (Chromium 137, Firefox 129, Safari 17 and later do): take another, or tallystick verify';
    throw new Refusal('unprocessable', 'browser.unfit', detail);
  });
}

function fileReader(file: File): RandomReader {
  const read = async (offset: number, length: number) => {
    const piece = await file
      .slice(offset, offset + length)
      .arrayBuffer()
      .catch(unreadable);
    return new Uint8Array(piece);
  };
  return { size: file.size, read };
}

const unreadable = (): never => {
  throw new Refusal('unprocessable', 'file.unreadable', 'the browser cannot read this file any more: open it again');
};

function textReader(text: string): RandomReader {
  const bytes = utf8.encode(text);
  return { size: bytes.length, read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)) };
}

/** It could not even be tried. */
function NotVerifiable({ error }: { error: Error }) {
  if (!(error instanceof Refusal)) return <Failure error={error} />;
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert" />} title="This cannot be verified" role="alert">
      <Text size="sm">{sentence(error.detail)}</Text>
      <Text size="xs" c="dimmed" mt={6} className="mono breakable">
        {error.code}
      </Text>
    </Alert>
  );
}
