import { Button, FileButton, Group, Text } from '@mantine/core';
import { type DragEvent, useState } from 'react';
import { MonoArea } from '../parts/mono-area.js';
import { bytes } from '../parts/values.js';

/** What is to be verified: pasted, or a file, which is read where it lies. */
export type Document = { readonly text: string; readonly file?: undefined } | { readonly text?: undefined; readonly file: File };

export function DocumentInput({ document, onChange }: { document: Document; onChange: (next: Document) => void }) {
  const [over, setOver] = useState(false);
  const open = (file: File | null | undefined) => file && onChange({ file });
  const drag = (event: DragEvent, isOver: boolean) => {
    event.preventDefault();
    setOver(isOver);
  };
  const drop = (event: DragEvent) => {
    drag(event, false);
    open(event.dataTransfer.files[0]);
  };
  return (
    <div
      className={over ? 'drop over' : 'drop'}
      onDragOver={(event) => drag(event, true)}
      onDragLeave={(event) => drag(event, false)}
      onDrop={drop}
    >
      {document.file ? (
        <Group justify="space-between" gap="xs">
          <Text size="sm" className="breakable">
            <b>{document.file.name}</b>, {bytes(document.file.size)}
          </Text>
          <Button size="xs" variant="default" onClick={() => onChange({ text: '' })}>
            Take another
          </Button>
        </Group>
      ) : (
        <>
          <MonoArea
            label="Document"
            description="A receipt, the evidence of a record, a .tlog-proof or an export. Paste it, drop a file here, or open one."
            rows={7}
            value={document.text}
            onText={(text) => onChange({ text })}
          />
          <Group mt="xs">
            <FileButton onChange={open}>
              {(props) => (
                <Button {...props} variant="default" size="xs">
                  Open a file
                </Button>
              )}
            </FileButton>
          </Group>
        </>
      )}
    </div>
  );
}
