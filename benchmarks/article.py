"""The article's script, over a folder of Parquet files: `python -m benchmarks.article FOLDER`.

The article's query becomes merges in pandas. Then its notebook runs unchanged, without the plots: the user id
is one of the columns, one encoder is fitted five times, k-means runs for k from 2 to 10 and again for 5, and
each cluster gets a report.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import LabelEncoder, StandardScaler

_REPORTED = [
    "AGE",
    "GENDER",
    "TOTAL_ORDERS",
    "TRAFFIC_SOURCE",
    "MOST_FREQUENT_BRAND",
    "MOST_FREQUENT_CATEGORY",
]
_ENCODED = ["GENDER", "COUNTRY", "TRAFFIC_SOURCE", "MOST_FREQUENT_BRAND", "MOST_FREQUENT_CATEGORY"]
_PROFILE = ["USER_ID", "AGE", "GENDER", "COUNTRY", "TRAFFIC_SOURCE"]


def query(folder: Path) -> pd.DataFrame:
    """The article's query: one row for each user with an order; `TOTAL_ORDERS` counts items, as in the
    article.
    """
    users, orders, order_items, inventory_items = (
        pd.read_parquet(folder / f"{table}.parquet").rename(columns=str.upper)
        for table in ("users", "orders", "order_items", "inventory_items")
    )
    users = users.rename(columns={"ID": "USER_ID"})[_PROFILE]
    inventory = inventory_items.rename(columns={"ID": "INVENTORY_ITEM_ID"})
    items = order_items[["ORDER_ID", "USER_ID", "INVENTORY_ITEM_ID"]].merge(inventory, on="INVENTORY_ITEM_ID")
    joined = orders[["ORDER_ID", "USER_ID"]].merge(items.drop(columns="USER_ID"), on="ORDER_ID", how="left")
    totals = joined.groupby("USER_ID")["ORDER_ID"].count().rename("TOTAL_ORDERS").reset_index()
    data = users.merge(totals, on="USER_ID", how="left")
    for column, name in (
        ("PRODUCT_BRAND", "MOST_FREQUENT_BRAND"),
        ("PRODUCT_CATEGORY", "MOST_FREQUENT_CATEGORY"),
    ):
        counts = items.groupby(["USER_ID", column]).size().reset_index(name="COUNT")
        most = counts.sort_values("COUNT", ascending=False).drop_duplicates("USER_ID")
        data = data.merge(most.rename(columns={column: name}).drop(columns="COUNT"), on="USER_ID", how="left")
    return data[data["TOTAL_ORDERS"] > 0].reset_index(drop=True)


def segments(data: pd.DataFrame) -> pd.DataFrame:
    """The article's `dataset`: the encoded columns, the components and the cluster."""
    data = data.dropna().reset_index(drop=True)
    encoder = LabelEncoder()
    for name in _ENCODED:
        data[name] = encoder.fit_transform(data[name])
    reducer = PCA(n_components=2, random_state=444)
    scaler = StandardScaler()
    features = scaler.fit_transform(data)
    components = pd.DataFrame(reducer.fit_transform(features), columns=["component_1", "component_2"])
    for center in range(2, 11):
        KMeans(n_clusters=center).fit(components).score(components)
    kmeans = KMeans(n_clusters=5, init="k-means++", max_iter=300, n_init=10, random_state=222)
    components["cluster"] = kmeans.fit(components).labels_
    return pd.concat([data, components], axis=1)


def report(dataset: pd.DataFrame, cluster: int) -> dict[str, Any]:
    """The article's `build_report`."""
    shares: dict[str, Any] = {}
    for column in _REPORTED:
        group = dataset[dataset["cluster"] == cluster]
        info = (
            group.groupby(column)[["USER_ID"]]
            .count()
            .sort_values(by="USER_ID", ascending=False)
            .reset_index()
        )
        info["ratio"] = np.round((info["USER_ID"] / info["USER_ID"].sum()) * 100, 2)
        shares[column] = info[[column, "ratio"]].iloc[:3].to_numpy()
        shares["cluster_ratio"] = np.round((group.shape[0] / dataset.shape[0]) * 100, 2)
    return shares


if __name__ == "__main__":
    clustered = segments(query(Path(sys.argv[1])))
    for number in range(5):
        print(report(clustered, number))
