"""One process a step: land the patients; link them as Xinglin does; compare with the truth; or call Splink alone."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.opened import opened

from xinglin.admission.stores import Stores
from xinglin.flows.demo import gather, linkage_quality
from xinglin.flows.stages.run import link


def main() -> None:
    step, home, region = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    stores = opened(home, create=True)
    features = home / "comparable.parquet"
    if step == "land":
        gather(stores, region)
        _keep_features(stores, features)
    elif step == "link":
        link(stores)
    elif step == "quality":
        found = linkage_quality(stores, region / "truth" / "persons.csv")
        print(found.precision, found.recall, found.records, found.persons_found)
    else:
        _bare(features)


def _keep_features(stores: Stores, features: Path) -> None:
    """The features that linkage compares, as a file that the bare calls start from."""
    import duckdb

    from xinglin.identity.features.extract import load_macros
    from xinglin.identity.model.scoring import prepare

    link(stores)
    connection = duckdb.connect()
    load_macros(connection)
    connection.execute("CREATE TEMP TABLE declared (patient_key BIGINT, representative BIGINT)")
    prepare(connection, f"read_parquet({stores.lake.require('identity', '').files('patient')})")
    connection.execute(f"COPY comparable TO '{features}' (FORMAT parquet)")


def _bare(features: Path) -> None:
    import duckdb
    from splink import DuckDBAPI, Linker

    from xinglin.identity.model.levels import block_condition, model_settings, prior_model

    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE comparable AS FROM read_parquet('{features}')")
    linker = Linker(
        DuckDBAPI(connection).register("comparable"), model_settings(prior_model(), 1e-6), log_level="ERROR"
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for columns in (("given_name", "family_name"), ("birth_date",)):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_condition(columns), estimate_without_term_frequencies=True, max_pairs=200_000
        )
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    print(connection.execute(f"SELECT count(DISTINCT cluster_id) FROM {clusters.physical_name}").fetchall()[0][0])


if __name__ == "__main__":
    main()
