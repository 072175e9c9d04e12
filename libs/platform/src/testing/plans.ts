import pg from 'pg';

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

const SETTINGS = ['log_min_duration = 0', 'log_nested_statements = on', "log_format = 'json'", 'log_parameter_max_length = 0'];

/** The plans of every statement inside a function, as the server itself runs them; what it does is taken back. */
export async function plansInside(url: string, sql: string, values: readonly unknown[]): Promise<PlanNode[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const plans: PlanNode[] = [];
    client.on('notice', ({ message = '' }) => {
      const json = /\{[\s\S]*\}/.exec(message)?.[0];
      if (json) plans.push(...nodesOf((JSON.parse(json) as { Plan: PlanNode }).Plan));
    });
    await client.query(`LOAD 'auto_explain'`);
    for (const setting of SETTINGS) await client.query(`SET auto_explain.${setting}`);
    await client.query('SET client_min_messages = log');
    await client.query('BEGIN');
    await client.query(sql, values as unknown[]);
    await client.query('ROLLBACK');
    return plans;
  } finally {
    await client.end();
  }
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
