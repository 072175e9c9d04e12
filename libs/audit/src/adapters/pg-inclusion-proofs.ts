/** The door that the plan of the house names: proofs read from PostgreSQL. */
